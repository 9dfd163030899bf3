type Props = {
  title: string;
  subtitle: string;
  primary: { label: string; href: string };
};

export function Hero({ title, subtitle, primary }: Props) {
  return (
    <section className="py-24 text-center">
      <h1 className="text-5xl font-bold">{title}</h1>
      <p className="mt-4 text-xl text-gray-500">{subtitle}</p>
      <a className="btn mt-8 bg-brand text-white" href={primary.href}>
        {primary.label}
      </a>
    </section>
  );
}
