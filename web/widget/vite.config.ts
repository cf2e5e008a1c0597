import { defineConfig } from 'vite';

// The loader, and the main part that it imports when the chat is first opened: the daemon's routes name both.
export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    modulePreload: false,
    rollupOptions: {
      input: { widget: 'src/loader.ts', 'widget-main': 'src/main.ts' },
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: '[name].js' },
    },
  },
});
