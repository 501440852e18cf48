/** The products whose exports are known here. */
import { aspnet } from './aspnet.ts';
import { auth0 } from './auth0.ts';
import { cognito } from './cognito.ts';
import { django } from './django.ts';
import { firebase } from './firebase.ts';
import { keycloak } from './keycloak.ts';
import { laravel } from './laravel.ts';
import type { Shape } from './shape.ts';
import { wordpress } from './wordpress.ts';

export const PRODUCTS: Readonly<Record<string, Shape>> = {
  ...{ auth0, firebase, keycloak, cognito, wordpress, django, laravel, aspnet },
};
