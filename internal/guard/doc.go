// Package guard is the door: every request is decided, done and recorded here, and
// nothing reaches a row or opens a ciphertext any other way.
//
// There are two ways through. [Do] is for changes and [View] for reads. Both take
// a [Request], which says who asks for what, and a function that does the work on
// a [*Tx] or a [*Snapshot]. Neither type can be made outside this package, so a
// room that holds a *Guard cannot touch the store without having said who is
// calling, and cannot get a result out without a record of it:
//
//   - A change and its record are one transaction. The changes an operation makes
//     are kept aside until it has succeeded; then they and the record are written
//     together. A refused or failed operation leaves its record and no rows.
//   - A read works on sealed rows kept in memory. Its record is committed before
//     the result is released, and in that same turn of the writer the read is
//     checked: if anything it looked at has changed since, it is done again.
//
// One goroutine, the committer, takes whatever is waiting, changes and records of
// reads alike, and commits it as one group: a single commit, and a single fsync,
// for all callers that waited. On PostgreSQL the committers of all nodes take turns
// through a row lock, so that there is one order of changes and of records over
// the whole deployment.
package guard
