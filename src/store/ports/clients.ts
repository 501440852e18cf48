import type { ClientRecord } from '../../model/client.ts';

export interface ClientStore {
  put(client: ClientRecord): Promise<void>;
  byId(clientId: string): Promise<ClientRecord | undefined>;
  list(): Promise<ClientRecord[]>;
  remove(clientId: string): Promise<boolean>;
}
