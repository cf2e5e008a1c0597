import { defineConfig } from 'vite';

// The loader, the main part that it imports when the chat is first opened, and the page to try them on: the daemon's routes name them.
export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    modulePreload: false,
    rollupOptions: {
      input: { widget: 'src/loader.ts', 'widget-main': 'src/main.ts', 'widget-demo': 'src/demo.ts' },
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: '[name].js' },
    },
  },
});
