// Package web carries the console's built files. It serves nothing itself;
// `npm run build` fills dist, and without it the folder holds only a marker.
package web

import "embed"

// Dist holds the built console under "dist": index.html, and everything with a
// hash in its name under assets.
//
//go:embed all:dist
var Dist embed.FS
