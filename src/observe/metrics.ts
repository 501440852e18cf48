/**
 * Figures for Prometheus, in a registry of their own (no global state). Labels come from closed lists:
 * routes by their pattern, never by the requested path, so that a client cannot create series.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** One answered request. `route`: the pattern, such as '/token'; 'other' where none matched. */
  request(context: { method: string; route: string; status: number; seconds: number }): void;
  /** One sign-in. `channel`: 'hosted' or a dialect's name. */
  signIn(context: { channel: string; outcome: 'success' | 'refused' | 'limited' | 'error' }): void;
  /** A client registered itself, or tried to. */
  registration(outcome: 'success' | 'refused' | 'error'): void;
  /** Emails by result. */
  email(outcome: 'sent' | 'failed' | 'dropped'): void;
  /** The server tried to deliver a logout to a client (back-channel logout). */
  logoutDelivery(outcome: 'delivered' | 'failed' | 'dead'): void;
  /** One question to a legacy system. `seconds`: where it was called. */
  legacyCall(context: {
    dialect: string;
    question: string;
    answer: 'yes' | 'no' | 'later' | 'odd' | 'not-made';
    seconds?: number;
  }): void;
  /** A reply of a legacy system passed by and was learned from, or not. */
  legacyLearned(dialect: string, outcome: string): void;
  /** One request to a dialect. `endpoint`: of the endpoint table, or '(other)'. `answered`: by whom. */
  dialectRequest(context: { dialect: string; endpoint: string; outcome: string; answered: string }): void;
  /** A reply of a legacy system was compared with Portico's own, or not. `endpoint`: method and path of the table. */
  shadow(dialect: string, endpoint: string, outcome: string): void;
  /** A figure that is read when Prometheus asks, such as the length of a queue. */
  observe(name: string, help: string, read: () => number): void;
  /** The reply of /metrics. */
  expose(): Promise<{ contentType: string; body: string }>;
}

/** So many requests are observed in a row: each by itself takes four times as long. */
const TOGETHER = 256;

export function createMetrics({ ofProcess = true }: { ofProcess?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'portico_http_request_seconds',
    help: 'Time to answer a request.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const signIns = new Counter({
    name: 'portico_sign_ins_total',
    help: 'Sign-ins by channel and outcome.',
    labelNames: ['channel', 'outcome'] as const,
    registers,
  });
  const registrations = new Counter({
    name: 'portico_client_registrations_total',
    help: 'Clients that register themselves, by outcome.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const emails = new Counter({
    name: 'portico_emails_total',
    help: 'Letters by outcome.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const logoutDeliveries = new Counter({
    name: 'portico_logout_deliveries_total',
    help: 'Back-channel logouts by outcome: failed ones are tried again, dead ones are not.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const legacyCalls = new Counter({
    name: 'portico_legacy_calls_total',
    help: 'Questions to legacy systems by what they answered; not-made: by the breaker or a limit.',
    labelNames: ['dialect', 'question', 'answer'] as const,
    registers,
  });
  const legacySeconds = new Histogram({
    name: 'portico_legacy_seconds',
    help: 'Time of a question to a legacy system.',
    labelNames: ['dialect', 'question'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const learned = new Counter({
    name: 'portico_learned_total',
    help: 'Replies of legacy systems that passed by, by what was learned from them; dropped: the queue was full.',
    labelNames: ['dialect', 'outcome'] as const,
    registers,
  });
  const dialectRequests = new Counter({
    name: 'portico_dialect_requests_total',
    help: 'Requests to dialects by endpoint, outcome, and who answered: portico or the legacy system.',
    labelNames: ['dialect', 'endpoint', 'outcome', 'answered'] as const,
    registers,
  });
  const shadows = new Counter({
    name: 'portico_shadow_total',
    help: 'Replies of legacy systems by how Portico’s own compare with them; dropped: the queue was full.',
    labelNames: ['dialect', 'endpoint', 'outcome'] as const,
    registers,
  });
  const answered: Parameters<Metrics['request']>[0][] = [];
  const observeAnswered = () => {
    for (const { seconds, status, ...labels } of answered)
      requests.observe({ ...labels, status: String(status) }, seconds);
    answered.length = 0;
  };
  return {
    registry,
    request(context) {
      answered.push(context);
      if (answered.length >= TOGETHER) observeAnswered();
    },
    signIn: (labels) => signIns.inc(labels),
    registration: (outcome) => registrations.inc({ outcome }),
    email: (outcome) => emails.inc({ outcome }),
    logoutDelivery: (outcome) => logoutDeliveries.inc({ outcome }),
    legacyCall({ seconds, answer, ...labels }) {
      legacyCalls.inc({ ...labels, answer });
      if (seconds !== undefined) legacySeconds.observe(labels, seconds);
    },
    legacyLearned: (dialect, outcome) => learned.inc({ dialect, outcome }),
    dialectRequest: (labels) => dialectRequests.inc(labels),
    shadow: (dialect, endpoint, outcome) => shadows.inc({ dialect, endpoint, outcome }),
    observe(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    async expose() {
      observeAnswered();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
