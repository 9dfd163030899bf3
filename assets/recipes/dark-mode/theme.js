// Runs in the head, before anything is painted: the page never shows in the other colours first.
(function () {
  var KEY = 'theme';
  var root = document.documentElement;
  var system = window.matchMedia('(prefers-color-scheme: dark)');
  var script = document.currentScript;

  function chosen() {
    try {
      var kept = localStorage.getItem(KEY);
      return kept === 'dark' || kept === 'light' ? kept : null;
    } catch (e) {
      // Storage can be forbidden: the choice then holds for this page.
      return root.getAttribute('data-theme');
    }
  }

  function shown() {
    return root.getAttribute('data-theme') || (system.matches ? 'dark' : 'light');
  }

  function tell() {
    document.dispatchEvent(new CustomEvent('themechange', { detail: shown() }));
  }

  function apply(theme) {
    if (theme) root.setAttribute('data-theme', theme);
    else root.removeAttribute('data-theme');
    tell();
  }

  window.theme = {
    /** `dark` or `light`: what is shown now. */
    shown: shown,
    /** Shows and remembers `dark` or `light`. */
    set: function (theme) {
      try {
        localStorage.setItem(KEY, theme);
      } catch (e) {}
      apply(theme);
    },
    /** The other one. */
    toggle: function () {
      window.theme.set(shown() === 'dark' ? 'light' : 'dark');
    },
  };

  apply(chosen());
  system.addEventListener('change', tell);
  // Another tab changed it.
  window.addEventListener('storage', function (event) {
    if (event.key === KEY || event.key === null) apply(chosen());
  });

  if (!script || script.getAttribute('data-toggle') !== 'yes') return;
  document.addEventListener('DOMContentLoaded', function () {
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'theme-toggle theme-toggle--floating';
    button.setAttribute('aria-label', 'Dark mode');
    var sign = document.createElement('span');
    sign.setAttribute('aria-hidden', 'true');
    button.appendChild(sign);
    function draw() {
      var dark = shown() === 'dark';
      button.setAttribute('aria-pressed', String(dark));
      sign.textContent = dark ? '\u2600' : '\u263E';
    }
    button.addEventListener('click', window.theme.toggle);
    document.addEventListener('themechange', draw);
    draw();
    document.body.appendChild(button);
  });
})();
