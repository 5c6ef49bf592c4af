// The test kit: a gateway that a test starts or joins, and realms in it.

export { Gateway, start, join, startOrJoin } from './gateway.js';
export { Realm } from './realm.js';
export { ControlError } from './control.js';
