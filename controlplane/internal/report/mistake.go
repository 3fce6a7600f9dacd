package report

import "regexp"

// mistakes are ClickHouse's codes for a text that can't run as it is. Every other
// code is ours: a list of what may break in a store would never be complete.
var mistakes = codes(
	34, 35, 42, 133, 134, 309, // how many arguments
	36, 43, 44, 53, 59, 69, 70, 131, 169, 170, 386, 377, 378, 455, 727, 728, // their types and values
	46, 47, 50, 60, 63, 73, 81, 129, 141, 186, 207, 262, 352, 353, 478, 721, // names
	8, 10, 16, 20, 51, 52, 121, 179, 206, 215, 258, 264, 283, 284, 288, 403, 417, 418, 544, 545, 557, 558, 596, 628, // structure
	1, 2, 12, 37, 48, 62, 78, 80, 115, 123, 152, 174, 181, 182, 183, 184, 211, 223, 260, 358, 392, 406, 440, 475, 476, 477, 498, 620, 703, // syntax
	161, 162, 165, 166, 167, 168, 229, 306, 572, // deep and wide
	6, 25, 26, 27, 32, 38, 41, 72, 130, 376, 441, 467, 490, 563, 632, 675, 676, 760, // texts that do not parse
	11, 13, 15, 19, 117, 120, 122, 124, 125, 127, 128, 135, 153, 190, 196, 208, 321, 346, 349, 360, 366, 395, 407, 427, 447, 456, 457, 471, 503, 527, 621, 645, 650, 691, // values
)

// damage marks messages about the store's own files: some codes of texts that do
// not parse are theirs, too.
var damage = regexp.MustCompile(`[Ww]hile reading (from part|or decompressing)|[Dd]ata part|/store/`)

func codes(list ...int32) map[int32]bool {
	set := map[int32]bool{}
	for _, code := range list {
		set[code] = true
	}
	return set
}
