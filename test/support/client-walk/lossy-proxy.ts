/** A network that loses answers: the first one to each sign-up, after the server has acted. */
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
  readonly status: number;
  readonly isLost: boolean;
}

export interface LossyProxy {
  readonly url: string;
  readonly passed: readonly Passed[];
  close(): void;
}

/** @param address as whom the server sees its callers: budgets of strangers are by address */
export async function openLossyProxy(upstream: URL, address: string): Promise<LossyProxy> {
  const passed: Passed[] = [];
  const seenKeys = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url: path = "/" } = incoming;
    const key = String(incoming.headers["idempotency-key"] ?? "") || null;
    const isLost = method === "POST" && path === "/api/users" && key !== null && !seenKeys.has(key);
    if (key !== null) seenKeys.add(key);
    const options = {
      ...{ host: upstream.hostname, port: upstream.port, method, path },
      headers: { ...incoming.headers, host: upstream.host, "cf-connecting-ip": address },
    };
    const onward = send(options, (answer) => {
      const status = answer.statusCode ?? 0;
      passed.push({ method, path, key, status, isLost });
      if (isLost) {
        answer.resume().once("end", () => incoming.socket.destroy());
        return;
      }
      // On a connection of its own: a browser would repeat by itself what is lost on one that it has used before.
      outgoing.writeHead(status, { ...answer.headers, connection: "close" });
      answer.pipe(outgoing);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
