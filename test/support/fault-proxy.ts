/**
 * A TCP proxy that misbehaves on demand. It stands before MongoDB, before Redis, or before Portico, and
 * does to their connections what networks and dying machines do.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net';

export type Fault =
  /** Everything passes. */
  | { readonly kind: 'none' }
  /** What passes takes this much longer, each way. */
  | { readonly kind: 'latency'; readonly milliseconds: number }
  /** Open connections are reset, and so is each new one. */
  | { readonly kind: 'reset' }
  /** Connections are taken and stay open, and nothing passes in either direction. */
  | { readonly kind: 'black-hole' }
  /**
   * The server hears everything, the client hears nothing, and nobody is told: a connection whose other end
   * believes in it. What the client asks for happens.
   */
  | { readonly kind: 'half-open' }
  /** So many bytes of what the server answers pass, then the connection is reset. */
  | { readonly kind: 'cut'; readonly after: number };

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** For connections that are open and for those to come, from now on. */
  set(fault: Fault): void;
  /** For those to come. What is open stays as it is for good, as when the machine behind it was replaced. */
  setForNew(fault: Fault): void;
  /** Connections through it at the moment. */
  readonly open: number;
  /** Connections that it reset so far. */
  readonly cut: number;
  close(): Promise<void>;
}

/** `target`: `host` and `port` of the server behind it. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const links = new Set<Link>();
  let fault: Fault = { kind: 'none' };
  let cut = 0;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (fault.kind === 'reset') {
      cut += 1;
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const link = new Link(client, target, fault);
    links.add(link);
    link.onEnd((wasReset) => {
      links.delete(link);
      if (wasReset) cut += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    set(next) {
      fault = next;
      for (const link of links) link.suffer(fault);
    },
    setForNew(next) {
      fault = next;
    },
    get open() {
      return links.size;
    },
    get cut() {
      return cut;
    },
    async close() {
      for (const link of links) link.reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One client's connection and the one behind it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  #fault: Fault;
  /** What waits while nothing passes, in the order in which it came. */
  readonly #held: { to: Socket; bytes: Buffer }[] = [];
  #answered = 0;
  #over = false;
  #wasReset = false;
  #ended: (wasReset: boolean) => void = () => undefined;

  constructor(client: Socket, target: { host: string; port: number }, fault: Fault) {
    this.#client = client;
    this.#fault = fault;
    this.#server = openSocket({ ...target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, this.#server],
      [this.#server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes) => this.#carry(to, bytes));
      from.on('end', () => this.#later(() => to.end()));
      from.on('error', () => this.reset());
      from.on('close', () => this.#later(() => this.#end()));
    }
  }

  onEnd(listener: (wasReset: boolean) => void): void {
    this.#ended = listener;
  }

  suffer(fault: Fault): void {
    this.#fault = fault;
    this.#answered = 0;
    if (fault.kind === 'reset') this.reset();
    for (const { to, bytes } of this.#held.splice(0)) this.#carry(to, bytes);
    // One side left while nobody was told.
    if (this.#client.readableEnded || this.#server.readableEnded) this.#later(() => this.#end());
  }

  reset(): void {
    this.#wasReset = true;
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#end();
  }

  #carry(to: Socket, bytes: Buffer): void {
    const fault = this.#fault;
    const isAnswer = to === this.#client;
    if (fault.kind === 'black-hole' || (fault.kind === 'half-open' && isAnswer)) {
      this.#held.push({ to, bytes });
    } else if (fault.kind === 'latency') {
      setTimeout(() => this.#write(to, bytes), fault.milliseconds);
    } else if (fault.kind === 'cut' && isAnswer) {
      const left = Math.max(0, fault.after - this.#answered);
      this.#answered += bytes.length;
      if (left > 0) this.#write(to, bytes.subarray(0, left));
      if (bytes.length >= left) setImmediate(() => this.reset());
    } else {
      this.#write(to, bytes);
    }
  }

  #write(to: Socket, bytes: Buffer): void {
    if (!to.destroyed && to.writable) to.write(bytes);
  }

  /** After what is under way: at once, or with the latency of the moment. */
  #later(work: () => void): void {
    const fault = this.#fault;
    if (fault.kind === 'black-hole' || fault.kind === 'half-open') return;
    setTimeout(work, fault.kind === 'latency' ? fault.milliseconds : 0);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#client.destroy();
    this.#server.destroy();
    this.#ended(this.#wasReset);
  }
}
