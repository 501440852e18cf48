/** An upstream server that keeps what reached it, and answers as a test tells it. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface RecordingNode {
  readonly port: number;
  readonly seen: Seen[];
  /** 'break-off': the connection is closed without an answer. */
  answer: number | 'break-off';
  close(): Promise<void>;
}

export async function startRecordingNode(): Promise<RecordingNode> {
  const seen: Seen[] = [];
  const server = http.createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    if (node.answer === 'break-off') request.socket.destroy();
    else response.writeHead(node.answer, { 'retry-after': '7' }).end('from the node');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const node: RecordingNode = {
    port: (server.address() as AddressInfo).port,
    seen,
    answer: 200,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return node;
}
