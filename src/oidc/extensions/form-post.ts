/**
 * The answer of `response_mode=form_post` is a page of ours. The provider registers its own response modes
 * while it is made, and afterwards takes no other of the same name: its class is extended.
 *
 * Replaces nothing in oidc-provider 9.13.3
 */
import Provider from 'oidc-provider';

export type ResponseMode = Parameters<Provider['registerResponseMode']>[1];

export function providerWith(formPost: ResponseMode): typeof Provider {
  return class extends Provider {
    override registerResponseMode(name: string, handler: ResponseMode): void {
      super.registerResponseMode(name, name === 'form_post' ? formPost : handler);
    }
  };
}
