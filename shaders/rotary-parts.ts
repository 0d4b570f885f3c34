// How many parts rotary-append takes: with past, lengths, angles and x they are the 8 storage buffers of WebGPU's default limits, and the
// weights of a norm take one's place. In a file of its own: the rule asks for it, and is there for models that never fetch the kernel.
export const MAX_ROTARY_PARTS = 4;
