'use client';

import { useSyncExternalStore } from 'react';

declare global {
  interface Window {
    theme?: { shown(): 'dark' | 'light'; set(theme: 'dark' | 'light'): void; toggle(): void };
  }
}

function subscribe(changed: () => void): () => void {
  document.addEventListener('themechange', changed);
  return () => document.removeEventListener('themechange', changed);
}

/** The button for the theme; public/theme.js does the work. */
export function ThemeToggle() {
  // The server does not know the theme: the first paint is the same for all.
  const dark = useSyncExternalStore(
    subscribe,
    () => window.theme?.shown() === 'dark',
    () => false,
  );
  return (
    <button
      type="button"
      className="theme-toggle"
      aria-label="Dark mode"
      aria-pressed={dark}
      onClick={() => window.theme?.toggle()}
    >
      <span aria-hidden="true">{dark ? '\u2600' : '\u263E'}</span>
    </button>
  );
}
