/** An error whose message is written for an operator, and says all there is: it is shown without a stack. */
export class OperatorError extends Error {}

/** The database could not be reached or did not answer in time. Answered as 503 with Retry-After. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly store: string;
  constructor(store: string, options?: ErrorOptions) {
    super(`The ${store} store cannot be reached.`, options);
    this.store = store;
  }
}

/**
 * The store answers, but must not be used as it is: a file that is no database, a schema of a newer
 * Portico, a folder without write permission. Waiting does not help; the message says what does.
 */
export class StoreUnusable extends OperatorError {
  override readonly name = 'StoreUnusable';
  readonly store: string;
  constructor(store: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}
