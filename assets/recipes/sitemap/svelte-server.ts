const SITE = %{base:json};

export const prerender = true;

/** Collected at every build: one entry for each page file. */
const files = import.meta.glob('/src/routes/**/+page.{svelte,svx,md}');

export function GET(): Response {
  const pages = Object.keys(files)
    .map((file) => file.replace(/^\/src\/routes/, '').replace(/\/\+page\.[a-z]+$/, ''))
    // Groups like (marketing) are no part of the address; pages with parameters have many.
    .map((route) => route.replace(/\/\([^)]+\)/g, '') || '/')
    .filter((route) => !route.includes('['))
    .sort();
  const urls = pages.map((page) => `  <url><loc>${escape(new URL(page, SITE).href)}</loc></url>`);
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
  return new Response(body, {
    headers: { 'Content-Type': 'application/xml; charset=utf-8', 'Cache-Control': 'max-age=3600' },
  });
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/'/g, '&apos;');
}
