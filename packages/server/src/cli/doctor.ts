/** `tls13 doctor`: what this machine can do for TLS, what stands in the way, and who could read keys. */
import { kernel as runningKernel } from 'ktls-bind';
import { createProvider } from 'tls13-node-crypto';
import { examineCrypto } from './doctor/crypto.js';
import { examineDevices } from './doctor/devices.js';
import { examineExposure } from './doctor/exposure.js';
import type { Section } from './doctor/finding.js';
import { examineKernel } from './doctor/kernel.js';
import { thisMachine } from './doctor/machine.js';
import { jsonReport, textReport } from './doctor/report.js';
import type { Arguments, Command } from './options.js';

export const doctorCommand: Command = {
  name: 'doctor',
  operands: '',
  mostOperands: 0,
  summary:
    'Says what this machine can do for TLS, what stands in the way, and who could read keys that go to the kernel.',
  options: { json: { help: 'print one JSON object: offload, provider, findings with check, status, found, advice' } },
  notes: ['The exit status is 0 whatever was found. Some things are visible to root only.'],
};

export function doctor(given: Arguments): number {
  const machine = thisMachine;
  const probe = runningKernel.probe({ fresh: true });
  const { report } = createProvider();
  const sections: readonly Section[] = [
    { title: 'Records in the kernel', findings: examineKernel(machine, runningKernel, probe) },
    { title: 'Network devices', findings: examineDevices(machine) },
    { title: 'Crypto in user space', findings: examineCrypto(report) },
    { title: 'Who could read keys', findings: examineExposure(machine) },
  ].filter(({ findings }) => findings.length > 0);
  const text = given.has('json')
    ? JSON.stringify(jsonReport(machine, probe, report, sections), undefined, 2)
    : textReport(sections, `Offload: ${probe.summary}.`);
  process.stdout.write(`${text}\n`);
  return 0;
}
