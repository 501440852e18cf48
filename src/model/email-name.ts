/** Which email it is: its words stand in the catalogue under `mail.<name>`. */
export type EmailName =
  | 'account-exists'
  | 'activation-code'
  | 'address-changed'
  | 'code'
  | 'confirm-code'
  | 'delete-code'
  | 'factor-added'
  | 'factor-removed'
  | 'factors-reset'
  | 'password-changed'
  | 'password-reset-done'
  | 'recovery-codes-few'
  | 'register-code'
  | 'reset-link'
  | 'verify-address'
  | 'wrong-codes'
  | 'wrong-factors';
