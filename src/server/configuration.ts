/** The configuration of this process, with every plug-in's keys judged by its own shape. */
import { type LoadOptions, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { dialectSettings } from '../dialects/registry.ts';
import { upstreamSettings } from '../federation/registry.ts';

/** The zod shapes of the plug-ins, by section and name. */
export async function plugInShapes(): Promise<Required<Pick<LoadOptions, 'dialects' | 'federation'>>> {
  const [dialects, federation] = await Promise.all([dialectSettings(), upstreamSettings()]);
  return { dialects, federation };
}

/** Throws ConfigError. */
export async function loadConfiguration(): Promise<Config> {
  return loadConfig(await plugInShapes());
}
