/** Early data (§2.3) with OpenSSL's client and server: accepted, sent only once, and told of by both sides. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scratch, serverIdentity } from './identities.js';
import { dial, listen, receive, session } from './ours.js';
import { sClient, sServer } from './peers/openssl.js';

const early = 'early data of a client\n';

describe('early data', () => {
  it('s_client sends it to our server, which takes it once', async () => {
    const ours = await listen({ earlyData: true });
    const kept = scratch('early-data-session.pem');
    const file = scratch('early-data.txt');
    writeFileSync(file, early);
    const first = sClient(ours.port, { more: ['-sess_out', kept] });
    await ours.next();
    // The tickets come behind the handshake.
    await first.until(/Post-Handshake New Session Ticket arrived[\s\S]*Post-Handshake New Session Ticket arrived/);
    first.end();
    await first.exited;

    const second = sClient(ours.port, { more: ['-sess_in', kept, '-early_data', file] });
    const connection = await ours.next();
    expect(String(await receive(connection, early.length))).toBe(early);
    await second.until(/Early data was accepted/);
    expect(connection.info).toMatchObject({ resumed: true, earlyData: 'accepted' });

    const third = sClient(ours.port, { more: ['-sess_in', kept, '-early_data', file] });
    const again = await ours.next();
    await third.until(/Early data was rejected/);
    expect(again.info).toMatchObject({ earlyData: 'rejected', earlyDataReason: 'replay_suspected' });
  });

  it('our client sends it to s_server', async () => {
    const more = ['-early_data', '-max_early_data', '1000'];
    const { port, program } = await sServer({ identity: serverIdentity('p256').files, more });
    const first = await dial(port);
    const kept = await session(first);
    first.destroy();
    const client = await dial(port, { session: kept, earlyData: early });
    expect(client.info).toMatchObject({ resumed: true, earlyData: 'accepted' });
    expect(client.earlyDataAccepted).toBe(true);
    await program.until(/early data of a client\n/);
  });
});
