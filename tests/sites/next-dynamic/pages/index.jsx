import dynamic from "next/dynamic";

const Greeting = dynamic(() => import("../containers/Greeting"));

export default function Home() {
  return <Greeting />;
}
