// Package seal is the envelope encryption of the house: it seals what the store
// keeps, so that who writes the database but does not hold the keys can destroy,
// but not read a value, move one to another place, or forge a row.
//
// # Keys
//
//	KEK        outside: a key file, a token, a cloud's key service ([KEK])
//	 └ root    32 bytes, kept in memory; everything below is derived from it or wrapped by it
//	    ├ data keys     one or more for each vault, wrapped; they seal values ([Ring.Seal])
//	    ├ MAC keys      one for each purpose, derived; they vouch for rows ([Ring.MAC])
//	    ├ token keys    one for each token, derived ([Ring.SealToken])
//	    └ house keys    signing seeds and the like, derived ([Ring.Derive])
//
// The KEK is asked when a [Ring] is opened and when keys are wrapped anew, never
// while a request is served. Erasing a vault's data keys erases its values.
//
// Roots are added, never removed: values, MACs and tokens name the key that made
// them, so what an older root made stays readable.
//
// # Cryptography
//
// AES-256-GCM with random nonces, HMAC-SHA256 and HKDF-SHA256 (RFC 5869) from the
// standard library and nothing else, so that Go's FIPS 140-3 mode can be turned on.
// Everything that is hashed or authenticated together is length-prefixed: no two
// lists of fields have the same encoding.
//
// With random nonces of 96 bits a key must not seal more than 2^32 times (NIST SP
// 800-38D, 8.3). Data keys stop at half of that; the store counts, see [Ring.Reservation].
package seal
