import Link from "next/link";

export function Footer() {
  return (
    <footer className="border-t py-8 text-sm text-gray-500">
      <p>Tempo Labs, 5 Dock Street, Leith</p>
      <Link href="/imprint">Imprint</Link>
      <a href="https://github.example/tempo">GitHub</a>
      <p>&copy; {new Date().getFullYear()} Tempo Labs</p>
    </footer>
  );
}
