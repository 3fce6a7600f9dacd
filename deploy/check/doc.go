// Package check holds what deploy ships to what the binaries know: charts render into valid Kubernetes objects, units and
// Compose files ask for the hardening that they promise, and no setting is given that nobody reads. It is a module of its
// own, so that Weir itself does not depend on the libraries of Helm, Compose and BuildKit.
package check
