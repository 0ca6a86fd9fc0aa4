// Package wire reads requests and writes answers for the faces: JSON, strictly and without
// leaving copies of values behind, bodies in bounded memory, and the circumstances of a
// call.
//
// Nothing in it knows a cloud, decides anything or sees inside a value.
package wire
