[120][141]/TANJIRO: Cầu chỉ có một thân tre thôi à?
[145][178]ZENITSU: Một thân tre! Bên dưới là nước xiết,|các cậu nghe tiếng nó gầm không?
[182][208]INOSUKE: Gầm cái gì! Suối này còn nhỏ|hơn tiếng bụng ta!
[212][243]TANJIRO: Ba bao muối mà rơi xuống thì cả làng|nhạt miệng đến mùa xuân đấy.
[247][276]INOSUKE: Đưa hết đây! Ta đội một bao trên|đầu, hai bao kẹp nách!
[280][300]ZENITSU: Rồi cậu lấy tay đâu mà vịn?
[304][329]/INOSUKE: Lợn rừng có vịn bao giờ! Lợn rừng chỉ có húc!
[333][358]Này mấy cậu kia, tre đó mục từ mùa lũ rồi!
[362][383]TANJIRO: Có ai vừa gọi mình phải không?
[387][413]ZENITSU: Tớ nghe rồi! Mục! Ông ấy bảo|mục! Mình về thôi!
[417][447]INOSUKE: Mục thì ta nhảy! Đứng dịch ra,|ngươi cản đường lấy đà của ta!
[451][480]TANJIRO: Khoan đã, để tớ ngửi thử thân|tre xem chỗ nào còn chắc.
[484][508]/INOSUKE: Ngửi tre? Mũi ngươi là mũi kiến hay sao?
[512][538]TANJIRO: Đoạn giữa ẩm lắm, còn hai đầu|thì thơm mùi nắng.
[542][570]ZENITSU: Nghĩa là đoạn giữa sẽ gãy đúng|lúc tớ đứng đó chứ gì!
[574][606]INOSUKE: Thế thì đừng đứng! Chạy! Chạy nhanh|thì cây chưa kịp biết mà gãy!
[610][633]TANJIRO: Nghe vô lý mà sao tớ lại thấy hợp lý.
[637][656]ZENITSU: Đừng có hợp lý với cậu ta!
[660][687]/INOSUKE: Ha ha! Tên trán cứng đã hiểu|đạo lý của núi rồi!
[691][719]TANJIRO: Vậy tớ đi trước với sợi dây,|buộc xong hai cậu hãy qua.
[723][754]INOSUKE: Không! Đi trước là việc của chúa tể!|Dây đâu, quấn vào bụng ta!
[758][785]ZENITSU: Cậu buộc nút kiểu gì mà nó|thành cái nơ thế kia?
[789][817]INOSUKE: Nơ cái đầu ngươi! Đây là nút|răng nanh, ta mới nghĩ ra!
[821][841]TANJIRO: Chặt đấy. Tớ kéo thử rồi.
[845][871]/Trời đất, thằng bé đội đầu lợn|chạy qua thật kìa!
[875][899]ZENITSU: Inosuke! Đoạn giữa! Coi chừng đoạn giữa!
[903][934]INOSUKE: Ta thấy rồi! Nó kêu rắc một tiếng,|ta kêu lại một tiếng to hơn!
[938][956]TANJIRO: Cậu qua được chưa?
[960][985]INOSUKE: Qua rồi! Muối còn đủ, chỉ có|một bao hơi khóc!
[989][1010]ZENITSU: Bao muối làm sao mà khóc được?
[1014][1042]/INOSUKE: Nó rỉ nước! Rỉ nước là khóc!|Ngươi cũng rỉ đấy thôi!
[1046][1066]ZENITSU: Tớ đang sợ chứ có khóc đâu!
[1070][1095]TANJIRO: Tới lượt cậu đấy, Zenitsu. Tớ giữ dây cho.
[1099][1127]ZENITSU: Nếu tớ rơi thì nhớ bảo mọi người|là tớ rơi rất đẹp nhé.
[1131][1164]INOSUKE: Rơi cái gì mà rơi! Bám vào dây! Ta kéo|một phát là ngươi bay sang đây!
[1168][1191]ZENITSU: Đừng kéo! Tớ tự đi! Tớ tự đi được mà!
[1195][1218]/INOSUKE: Muộn rồi! Dây đã nằm trong tay ta!
[1222][1240]TANJIRO: Cậu ấy bay thật rồi.
[1244][1270]Sang đến bờ cả rồi à? Vào đây,|nước chè còn nóng.
[1274][1308]INOSUKE: Nước chè! Lão già kia, ta bưng muối tới|rồi, ngươi có gì mặn để ăn không?
[1512][1539]ZENITSU: Quán vắng thế này mà nồi cháo|to bằng cái giếng.
[1543][1572]TANJIRO: Cô chủ bảo ai đoán được trong cháo|có gì thì khỏi trả tiền.
[1576][1602]/INOSUKE: Khỏi trả tiền? Vậy ta ăn hết|nồi rồi đoán sau!
[1606][1629]Mỗi người một bát thôi, cậu đầu lợn ạ.
[1633][1659]INOSUKE: Một bát? Bát này còn nhỏ hơn cái tai của ta!
[1663][1689]ZENITSU: Tớ đoán trước nhé. Gạo, hành,|với cả tình thương.
[1693][1716]TANJIRO: Tình thương không tính đâu, Zenitsu.
[1720][1744]ZENITSU: Sao lại không! Tớ nếm thấy rõ ràng mà!
[1748][1782]/INOSUKE: Để ta! Ta ngửi thấy khói, thấy gừng, thấy|một con cá đã bơi ngược ba ngày!
[1786][1807]TANJIRO: Cậu ngửi được cả số ngày cơ à?
[1811][1842]INOSUKE: Cá bơi ngược thì thịt dai! Ngươi|nhai đi, nhai rồi thì hết cãi!
[1846][1865]TANJIRO: Dai thật. Tớ chịu cậu đấy.
[1869][1895]Đoán trúng gừng với cá rồi. Còn một thứ nữa.
[1899][1931]ZENITSU: Còn một thứ nữa! Nhanh lên Inosuke,|tiền của tớ chỉ đủ mua cái thìa!
[1935][1960]/INOSUKE: Im! Ta đang nói chuyện với cái lưỡi của ta!
[1964][1981]TANJIRO: Lưỡi cậu bảo sao?
[1985][2017]INOSUKE: Nó bảo có vị ngọt mà không phải mật,|có vị đất mà không phải bùn.
[2021][2043]INOSUKE: Khoai! Khoai nướng giã ra cho sánh!
[2047][2076]Ba mươi năm bán cháo, cậu là|người đầu tiên đoán ra đấy.
[2080][2107]INOSUKE: Tất nhiên! Cả ngọn núi này chui|qua mũi ta mỗi sáng!
[2111][2139]/ZENITSU: Cậu ấy đoán trúng thật! Bọn|mình khỏi trả tiền rồi!
[2143][2171]TANJIRO: Cảm ơn cậu nhé, Inosuke. Nhờ cậu|mà cả bọn được ăn no.
[2175][2204]INOSUKE: Ngươi nói cái gì mà ngực ta cứ|nóng như nuốt than thế hả?
[2208][2231]TANJIRO: Đó là cảm giác khi được cảm ơn đấy.
[2235][2259]INOSUKE: Vậy cảm ơn thêm hai lần nữa! Ta chịu được!
[2263][2281]ZENITSU: Cậu tham quá rồi đấy.
[2285][2304]/TANJIRO: Cảm ơn cậu. Cảm ơn cậu.
[2308][2340]INOSUKE: Ực. Nóng tới tận tai rồi. Thôi, đủ!|Ngươi giữ lại để mai nói tiếp!
[2344][2370]Cậu kia rửa bát giúp thì tôi|cho thêm bát nữa.
[2374][2397]ZENITSU: Rửa bát thì cả bọn cùng rửa cho nhanh.
[2401][2430]INOSUKE: Ta rửa! Ta rửa nhanh hơn suối!|Bát nào dám trơn, ta cắn!
[2434][2456]TANJIRO: Đừng cắn bát, sứ mẻ đau răng lắm.
[2460][2488]/INOSUKE: Răng ta mẻ sẵn rồi! Mẻ mới bén,|giống như kiếm của ta!
[2492][2518]ZENITSU: Ơ, cậu rửa sạch thật này. Soi thấy cả mặt tớ.
[2522][2546]INOSUKE: Mặt ngươi bẩn quá nên ta rửa luôn cho đấy!
[2550][2572]ZENITSU: Úi! Lạnh! Ai cho cậu hắt nước hả!
[2576][2605]TANJIRO: Thôi nào, hai cậu làm ướt hết|bếp của người ta bây giờ.
[2609][2634]INOSUKE: Ướt thì ta lau! Ta lau bằng tên tóc vàng này!
[2638][2666]/Quán tôi lâu lắm rồi mới ồn như|vậy. Mai lại ghé nhé.
[2670][2704]INOSUKE: Mai ta ghé! Nhưng mai ngươi giấu món gì|khó hơn, khoai thì ta thuộc rồi!
[2950][2980]AOI: Ba đêm liền mất khoai. Đêm nay cả ba|cậu ngồi đây canh cho tôi.
[2984][3012]ZENITSU: Kho tối thế này, lỡ không phải|trộm mà là ma thì sao?
[3016][3045]INOSUKE: Ma thì càng tốt! Ma nhẹ, ta vác|một lúc được mười con!
[3049][3074]TANJIRO: Aoi yên tâm, ngửi thấy ai lạ là tớ báo ngay.
[3078][3108]/AOI: Tôi khóa cửa ngoài đây. Mà Inosuke|này, tôi đếm khoai rồi đấy.
[3112][3135]INOSUKE: Đếm làm gì! Ta canh chứ ta có ăn đâu!
[3139][3159]ZENITSU: Cậu vừa nuốt cái gì đấy?
[3163][3179]INOSUKE: Nước bọt của ta!
[3183][3206]TANJIRO: Suỵt. Có tiếng sột soạt ở góc kia.
[3198][3226]ZENITSU: Tớ nghe thấy từ nãy rồi! Nó có|bốn chân, mà nó đang run!
[3230][3320]/INOSUKE: Run là việc của ngươi! Để ta|gọi nó ra... GRÀÀÀÀÀÀÀ!
[3240][3257]ZENITSU: Tai tớ! Tai tớ!
[3260][3282]TANJIRO: Khẽ thôi Inosuke, cả nhà đang ngủ!
[3340][3363]Ai rống trong kho thế, nửa đêm rồi!
[3367][3391]AOI: Không có gì đâu bác ạ, bác ngủ tiếp đi!
[3395][3424]TANJIRO: Nó chui ra sau bao thóc rồi. Mùi|bùn, mùi lá mục, mùi sữa.
[3428][3454]/INOSUKE: Sữa? Tránh ra. Đừng đứa nào|giơ đèn vào mặt nó.
[3458][3487]ZENITSU: Sao tự nhiên cậu nói nhỏ thế,|nghe còn sợ hơn lúc rống.
[3491][3515]INOSUKE: Im. Khịt, khịt. Ra đây, nhóc. Ta đây mà.
[3519][3550]TANJIRO: Một con lợn rừng con. Chân sau nó bị|sợi dây bẫy thít chặt quá.
[3542][3567]ZENITSU: Bé tí! Thế mà tớ chuẩn bị cả lời trăng trối!
[3571][3596]AOI: Vậy ra ba đêm nay là nó ăn khoai của tôi à?
[3600][3632]/INOSUKE: Nó ăn ba củ! Ba củ bé! Củ to là con|chuột cống lấy, ta thấy dấu răng!
[3636][3657]AOI: Tôi đã nói gì đâu mà cậu cãi.
[3661][3684]INOSUKE: Ta cãi trước cho nó! Nó chưa biết nói!
[3688][3716]TANJIRO: Giữ chân nó giúp tớ, tớ cắt|dây. Nó sợ ánh dao đấy.
[3720][3750]INOSUKE: Cắn ta này, nhóc. Cắn tay ta thì hết|sợ. Khỏe lắm, cắn nữa đi!
[3754][3777]ZENITSU: Cậu chảy máu kìa, sao lại còn cười?
[3781][3809]/INOSUKE: Răng nó mọc thẳng hàng! Sau này|húc đổ được cả cây sồi!
[3813][3842]TANJIRO: Xong rồi. Vết thít không sâu,|nghỉ vài hôm là chạy được.
[3846][3875]AOI: Để tôi lấy thuốc với ít cháo. Nó|uống được sữa dê không?
[3879][3906]INOSUKE: Được! Hâm vừa thôi, nhỏ lên cổ|tay thấy ấm là vừa!
[3910][3930]AOI: Cậu học cái đó ở đâu ra thế?
[3934][3963]INOSUKE: Nhìn trộm một bà cụ dưới làng. Bà|ấy làm thế với dê con.
[3967][3995]/Mẹ nó đang ủi hàng rào ngoài|kia kìa, to bằng con bò!
[3999][4024]ZENITSU: To bằng con bò? Khóa cửa lại! Khóa hết lại!
[4016][4041]INOSUKE: Mở ra! Bà ấy đi tìm con, ngươi khóa cái gì!
[4045][4069]TANJIRO: Cậu bế nó ra đi. Bọn tớ đứng yên ở đây.
[4073][4107]INOSUKE: Con ngươi đây! Nó không khóc tiếng nào|đâu! Này, húc khẽ thôi, ta hiểu rồi!
[4111][4131]TANJIRO: Bà ấy húc cậu ba cái liền.
[4135][4168]/INOSUKE: Một cái vì con, một cái vì khoai. Cái|thứ ba... cái thứ ba là cho ta.
[4172][4191]ZENITSU: Ơ, cậu đang dụi mắt đấy à?
[4195][4218]INOSUKE: Bụi khoai! Khoai để lâu nó có bụi!
[4222][4248]Thôi, cho bác xin một bát cháo|rồi bác ngủ tiếp.
[4252][4280]AOI: Cháo chín rồi, vào cả đi. Ai|canh kho thì được hai bát.
[4284][4317]INOSUKE: Hai bát! Từ mai đêm nào ta cũng canh,|trộm có tới hay không cũng mặc!
ZENITSU: Dòng này hỏng giờ
