// Package redacted has the test that runs secrets and personal data through all of Weir, and
// searches every store for them.
package redacted
