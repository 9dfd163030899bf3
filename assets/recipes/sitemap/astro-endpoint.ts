import type { APIRoute } from 'astro';

export const prerender = true;

/** Collected at every build: one entry for each page file. */
const files = import.meta.glob('./**/*.{astro,md,mdx,html}');

export const GET: APIRoute = ({ site }) => {
  const base = site ?? new URL(%{base:json});
  const pages = Object.keys(files)
    .map((file) => file.replace(/^\.\//, '/').replace(/\.[a-z]+$/, ''))
    .map((route) => route.replace(/\/index$/, '') || '/')
    // Pages with parameters have many addresses; names that begin with _ are no pages.
    .filter((route) => !route.includes('[') && !/\/_/.test(route) && !/^\/(404|500)$/.test(route))
    .sort();
  const urls = pages.map((page) => `  <url><loc>${escape(new URL(page, base).href)}</loc></url>`);
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
  return new Response(body, { headers: { 'Content-Type': 'application/xml; charset=utf-8' } });
};

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/'/g, '&apos;');
}
