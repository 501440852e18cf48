/**
 * How the answer to an authorization request is sent. With `response_mode=form_post` by a page of ours, and the same
 * page where the answer is a signed JWT (JARM); in every mode, refusals say what to do. The provider registers its own
 * response modes while it is made, and afterwards takes no other of the same name: its class is extended.
 *
 * Replaces nothing in oidc-provider 9.13.3
 */
import Provider from 'oidc-provider';
import { refusalInWords } from '../provider/error-words.ts';
import { signedAnswer } from './id-token.ts';

export type ResponseMode = Parameters<Provider['registerResponseMode']>[1];

export function providerWith(formPost: ResponseMode): typeof Provider {
  return class extends Provider {
    override registerResponseMode(name: string, handler: ResponseMode): void {
      const ours: Readonly<Record<string, ResponseMode>> = {
        form_post: formPost,
        'form_post.jwt': async (ctx, url, answer) => {
          await formPost(ctx, url, { response: await signedAnswer(ctx, 'authorization', answer) });
          if ('error' in answer && ctx.status === 200) ctx.status = 400;
        },
      };
      const send = ours[name] ?? handler.bind(this);
      super.registerResponseMode(name, (ctx, url, answer) => send(ctx, url, refusalInWords(answer)));
    }
  };
}
