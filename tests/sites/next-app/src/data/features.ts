export type Feature = { id: string; title: string; text: string };

export const features: Feature[] = [
  { id: "timer", title: "One-key timer", text: 'Press "t" and it runs.' },
  { id: "reports", title: "Clear reports", text: "See the week at a glance." },
  { id: "invoices", title: "Invoices", text: "Bill what you tracked, it's that simple." },
];
