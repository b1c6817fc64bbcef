/** The doctor on network devices that could seal records themselves. */
import type { Finding } from './finding.js';
import type { Machine } from './machine.js';

export function examineDevices(machine: Machine): readonly Finding[] {
  if (machine.platform !== 'linux') return [];
  const devices = machine
    .list('/sys/class/net')
    .filter((name) => machine.link(`/sys/class/net/${name}/device`) !== undefined);
  if (devices.length === 0) {
    return [
      {
        check: 'device',
        title: 'network devices',
        status: 'ok',
        found: 'no physical one is visible',
        advice: 'The kernel seals in software, which is the usual case.',
      },
    ];
  }
  return devices.map((name) => deviceFinding(machine, name));
}

const features = ['tls-hw-tx-offload', 'tls-hw-rx-offload', 'tls-hw-record'] as const;

function deviceFinding(machine: Machine, name: string): Finding {
  const driver = machine.link(`/sys/class/net/${name}/device/driver`)?.split('/').at(-1) ?? 'unknown driver';
  const finding = { check: `device.${name}`, title: name };
  const listed = machine.run('ethtool', ['-k', name]);
  if (listed === undefined) {
    return {
      ...finding,
      status: 'ok',
      found: `${driver}; its features are not visible`,
      advice: 'Install ethtool to see whether this device could seal records itself.',
    };
  }
  const states = features.map((feature) => ({ feature, state: stateOf(listed, feature) }));
  const on = states.filter(({ state }) => state === 'on').map(({ feature }) => feature);
  const able = states.filter(({ state }) => state === 'able').map(({ feature }) => feature);
  if (on.length > 0) {
    const advice = 'Keys given to the kernel also go to this device; turn off with ethtool -K if that is not wanted.';
    return { ...finding, status: 'ok', found: `${driver}; on: ${on.join(', ')}`, advice };
  }
  if (able.length > 0) {
    const advice = `As root: ethtool -K ${name} ${able[0]} on; not all devices can replace keys, so try first.`;
    return { ...finding, status: 'ok', found: `${driver}; off, but possible: ${able.join(', ')}`, advice };
  }
  const advice = 'The kernel seals in software, which is the usual case.';
  return { ...finding, status: 'ok', found: `${driver}; no TLS features`, advice };
}

/** `tls-hw-tx-offload: off [fixed]` */
function stateOf(listed: string, feature: string): 'on' | 'able' | 'none' {
  const line = listed.split('\n').find((candidate) => candidate.trim().startsWith(`${feature}:`));
  if (line === undefined) return 'none';
  if (/:\s*on\b/.test(line)) return 'on';
  return line.includes('[fixed]') ? 'none' : 'able';
}
