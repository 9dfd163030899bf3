/** @type {import('@docusaurus/types').Config} */
const config = {
  title: 'Quill',
  tagline: 'Notes that find you',
  url: 'https://quill.example',
  baseUrl: '/',
  themeConfig: {
    navbar: {
      title: 'Quill',
      items: [
        { type: 'docSidebar', sidebarId: 'docs', label: 'Manual' },
        { to: '/blog', label: 'Blog' },
        { href: 'https://github.example/quill', label: 'GitHub' },
      ],
    },
    footer: {
      style: 'dark',
      links: [
        { title: 'Docs', items: [{ label: 'Install', to: '/docs/install' }] },
        { title: 'More', items: [{ label: 'Blog', to: '/blog' }] },
      ],
      copyright: `Copyright © ${new Date().getFullYear()} Quill.`,
    },
    announcementBar: { id: 'v2', content: 'Version 2 is out' },
  },
};

module.exports = config;
