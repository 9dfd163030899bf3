// Runs the emulators of GitHub and Vercel on free ports for one test program.
//
// The first line of standard input is the seed (JSON). When both services answer, their addresses go to standard
// output as one line of JSON. "reset" brings the seed back and answers "done"; the end of standard input ends it all.
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { createEmulator } from "emulate";

const pages = { github: "/meta", vercel: "/registration" };

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function start(service, seed) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const emulator = await createEmulator({ service, port, baseUrl: url, seed });
  // It listens when its page answers, not when it says so. A lost race for the port ends this process: whoever
  // started it tries again.
  for (;;) {
    try {
      if ((await fetch(url + pages[service])).ok) return { url, emulator };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const running = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (running.length === 0) {
    const seed = JSON.parse(line);
    const addresses = {};
    for (const service of Object.keys(pages)) {
      const { url, emulator } = await start(service, seed);
      running.push(emulator);
      addresses[service] = url;
    }
    console.log(JSON.stringify(addresses));
  } else if (line === "reset") {
    for (const emulator of running) emulator.reset();
    console.log("done");
  }
}
process.exit(0);
