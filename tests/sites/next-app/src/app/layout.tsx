import type { Metadata } from "next";
import { Footer } from "@/components/Footer";
import Header from "@/components/Header";
import "./globals.css";

export const metadata: Metadata = {
  title: "Tempo: time tracking",
  description: "Know where the week went.",
};

export default function RootLayout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body className="bg-white text-ink">
        <Header />
        {children}
        <Footer />
      </body>
    </html>
  );
}
