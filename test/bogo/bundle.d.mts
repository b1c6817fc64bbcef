/** The path of the shim's bundle over the provider `native` or `noble`, which is written into the folder. */
export function bundleShim(provider: string, folder: string): Promise<string>;
