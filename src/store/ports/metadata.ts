/** Small facts about the installation itself: which seed files were loaded, the back end's identity. */
export interface MetadataStore {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** True when it was absent and is now set: for exactly one caller. */
  setOnce(name: string, value: string): Promise<boolean>;
}
