import { OperatorError } from '../../core/errors.ts';

/** A copy that must not begin or go on; the message says what to do. */
export class CopyRefused extends OperatorError {
  override readonly name = 'CopyRefused';
}
