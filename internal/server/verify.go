package server

import (
	"io"

	"tacet/internal/adminapi"
	"tacet/internal/audit"
)

// AuditReport says what a verification of the record found.
type AuditReport = adminapi.AuditReport

// VerifyExport verifies an export of the record by itself: no server, no store. With
// an empty verifierKey the export's own is used, which the report then says. What does
// not hold is told in the report; the error is for an export that cannot be read.
func VerifyExport(r io.Reader, verifierKey string) (AuditReport, error) {
	report, err := audit.VerifyExport(r, verifierKey)
	return AuditReport(report), err
}
