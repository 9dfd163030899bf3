import type { MetadataRoute } from 'next';

const SITE = process.env.NEXT_PUBLIC_SITE_URL ?? %{base:json};

/** The pages with an address of their own. */
const PAGES = [
%{routes}
];

export default function sitemap(): MetadataRoute.Sitemap {
  return PAGES.map((page) => ({
    url: new URL(page, SITE).href,
    changeFrequency: 'weekly',
    priority: page === '/' ? 1 : 0.7,
  }));
}
