import type { Config } from "tailwindcss";

const config: Config = {
  content: ["./src/**/*.tsx"],
  theme: {
    extend: {
      colors: {
        brand: "#4f46e5",
        ink: "#111827",
      },
    },
  },
};

export default config;
