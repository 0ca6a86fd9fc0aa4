// Package server is the machine room: it wires the rooms together, listens, and
// stops.
//
// [Build] is the only place where rooms meet: it opens the store and the key,
// the door on top of them, the operations on top of the door and the faces on top
// of the operations. [Server.Run] serves until its context ends and then drains.
// [StartDev] is the same machine with everything a first minute needs made on the
// spot; [Init] prepares a store for a real one.
//
// Three kinds of listener exist: HTTPS and plain HTTP carry the faces, the admin
// listener carries metrics and profiles. No face is reachable on the admin listener
// and no metric on the others.
package server
