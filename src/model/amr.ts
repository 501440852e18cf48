/** How a person proved who they are (RFC 8176): password, one-time code, upstream, single sign-on. */
export type Amr = 'pwd' | 'otp' | 'fed' | 'sso';
