// What the scripts for Node.js share: they report a line of JSON for each step, and can wait to be met.

const fs = require('node:fs');

function say(line) {
  fs.writeSync(1, JSON.stringify(line) + '\n');
}

/// Reports what a step came to, and gives it back.
exports.tell = async function report(step, work) {
  const value = await work;
  say({ step, value });
  return value;
};

/// Waits until whoever runs the script has looked around, and gives back what they let it know.
exports.pause = function pause(point) {
  say({ pause: point });
  const byte = Buffer.alloc(1);
  let word = '';
  for (;;) {
    try {
      if (fs.readSync(0, byte, 0, 1) === 0) throw new Error(`nobody met the script at ${point}`);
      if (byte[0] === 10) return word;
      word += byte.toString('latin1');
    } catch (error) {
      // a pipe that has nothing yet
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
