export const headerData = {
  links: [
    { text: 'Projects', href: '/projects' },
    { text: 'Studio', href: '/studio' },
    { text: 'Contact', href: '/contact' },
  ],
};

export const footerData = {
  links: [
    { text: 'Imprint', href: '/imprint' },
    { text: 'Contact', href: '/contact' },
  ],
  footNote: `Made in Basel by Atelier Nord.`,
};
