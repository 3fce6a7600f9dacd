package controlplane

import (
	"cmp"
	"runtime/debug"
)

// release is set by the linker: -X github.com/weirhq/weir/controlplane.release=v1.2.3.
var release string

// Version is the release, else what Go knows of the build, such as (devel).
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return cmp.Or(release, info.Main.Version)
	}
	return cmp.Or(release, "unknown")
}
