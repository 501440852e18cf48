/** The demo application as it is registered in config/seed/demo.yaml. */
export const DEMO_CLIENT_ID = 'demo';
export const DEMO_SCOPE = 'openid profile email organization roles offline_access';
