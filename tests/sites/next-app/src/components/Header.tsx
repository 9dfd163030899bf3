import Link from "next/link";

const links = [
  { href: "/", label: "Home" },
  { href: "/pricing", label: "Pricing" },
  { href: "/about", label: "About" },
  { href: "/blog", label: "Journal" },
];

export default function Header() {
  return (
    <header className="border-b">
      <Link href="/" className="text-xl font-black">
        Tempo
      </Link>
      <nav>
        {links.map((link) => (
          <Link key={link.href} href={link.href}>
            {link.label}
          </Link>
        ))}
        <Link href="/signup" className="btn">
          Sign up
        </Link>
      </nav>
    </header>
  );
}
