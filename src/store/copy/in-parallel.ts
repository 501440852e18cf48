/** Calls under way at once: enough to hide the way to the server, few enough for its time-outs. */
const WIDTH = 32;

/** Runs `work` on every item, begun in order. Rejects with the first failure and begins no more. */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
}
