// Shared by the Node.js scripts: they print a line of JSON for each step, and can wait for the test.

const fs = require('node:fs');

function say(line) {
  fs.writeSync(1, JSON.stringify(line) + '\n');
}

/// Prints the result of a step, and returns it.
exports.report = async function report(step, work) {
  const value = await work;
  say({ step, value });
  return value;
};

/// Waits until the test has checked the state so far, and returns the line it writes.
exports.pause = function pause(point) {
  say({ pause: point });
  const byte = Buffer.alloc(1);
  let word = '';
  for (;;) {
    try {
      if (fs.readSync(0, byte, 0, 1) === 0) throw new Error(`the test ended at ${point}`);
      if (byte[0] === 10) return word;
      word += byte.toString('latin1');
    } catch (error) {
      // nothing in the pipe yet
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
};

/// A setting the gateway prints for its clients.
exports.setting = function setting(key) {
  const value = process.env[key];
  if (!value) throw new Error(`${key} is not set; "conclave env" prints it`);
  return value;
};
