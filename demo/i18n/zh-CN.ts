// 简体中文。
import type { Words } from "./en.ts";

export const zhCN: Words = {
  name: "简体中文",
  title: "fovea – 看 Transformer 在看什么",
  tagline: "输入一个句子，页面里的 Transformer 会读它；每个彩色方格表示一个词看另一个词看得有多重。",
  loading: (megabytes) => `正在加载模型（${megabytes} MB，仅一次）…`,
  scenes: {
    translation: {
      tab: "翻译",
      input: "英语",
      output: "法语",
      presets: { aligned: "每个法语词来自哪个英语词", neighbours: "相邻的词如何互看", written: "刚写下的内容" },
    },
  },
  kinds: { cross: "输出 → 输入", encoder: "输入 → 输入", decoder: "输出 → 输出" },
  about: {
    cross: "每一行是写出的词，每一列是读到的词。颜色越深，这个注意力头在写完该行的词之后看该列的词就越多。",
    encoder: "阅读时，输入中的词如何互相看。",
    decoder: "输出中的每个词如何回看前面的词；后面的词是看不到的。",
  },
  headName: (layer, head) => `第 ${layer} 层，第 ${head} 头`,
  allHeads: (count) => `全部 ${count} 个头`,
  scales: { "square root": "平方根", linear: "线性", logarithmic: "对数" },
  scale: "颜色标度",
  point: "指向一个方格即可读出它的权重。",
  weight: (query, key, weight) => `“${query}”看“${key}”的权重为 ${weight}`,
  beforeWriting: (next) => `，随后写出“${next}”`,
  lines: "谁在看谁",
  linesHint: "指向一个词，或点按以固定它。连线指向合占其 70% 注意力的词，线越粗权重越大。",
  honest: "注意力说明一个头从哪里读取信息，它本身并不是模型写出这些内容的原因。",
  examples: "示例",
};
