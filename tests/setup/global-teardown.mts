/** The data goes with the database, as it does when the run is interrupted and this is never called. */
export default async function tearDown(): Promise<void> {
  if (!globalThis.testDatabase) return;
  await globalThis.testDatabase.stop();
  globalThis.testDatabase = undefined;
  // Otherwise the next run of `jest --watch` would look for it.
  delete process.env.TEST_DATABASE_URL;
}
