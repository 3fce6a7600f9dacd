import type { Rates } from "../../api/price";

/** Bucket is a kind of tokens that has a price of its own. */
export type Bucket = Exclude<keyof Rates, "$typeName" | "$unknown">;

export interface BucketName {
  bucket: Bucket;
  /** "Cache write, 5 min". */
  name: string;
  /** As the API's errors call it. */
  field: string;
}

/** buckets are all kinds, in the order in which they are shown. */
export const buckets: readonly BucketName[] = [
  { bucket: "input", name: "Input", field: "input" },
  { bucket: "cacheRead", name: "Cache read", field: "cache_read" },
  { bucket: "cacheWrite5m", name: "Cache write, 5 min", field: "cache_write_5m" },
  { bucket: "cacheWrite1h", name: "Cache write, 1 h", field: "cache_write_1h" },
  { bucket: "output", name: "Output", field: "output" },
  { bucket: "inputAudio", name: "Audio in", field: "input_audio" },
  { bucket: "outputAudio", name: "Audio out", field: "output_audio" },
  { bucket: "inputImage", name: "Image in", field: "input_image" },
  { bucket: "outputImage", name: "Image out", field: "output_image" },
];

/** inputBuckets are what a provider compares with a long-context threshold, in the order in which a prompt has them. */
export const inputBuckets: readonly Bucket[] = ["cacheRead", "cacheWrite1h", "cacheWrite5m", "inputAudio", "inputImage", "input"];
