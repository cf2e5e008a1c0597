import { defineConfig } from 'vite';

// One script and one style under fixed names: the daemon's routes name them.
export default defineConfig({
  base: '/',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      output: { entryFileNames: 'desk.js', assetFileNames: 'desk[extname]', codeSplitting: false },
    },
  },
});
